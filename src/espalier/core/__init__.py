"""The floor: plain records, errors, file operations, the machine probe. Imports nothing of ours and never torch."""
