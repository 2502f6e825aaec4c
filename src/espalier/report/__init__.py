"""Outcomes and predictions -> the terminal's lines and ``report.html``. Numbers in, words and pictures out.

Imports ``core`` only, and never torch. What every command may need (``faults``, ``runs``, ``lines``) stands on the
standard library alone; ``html`` and what it draws from bring numpy, pyarrow and jinja2.

    from espalier.report.html import write_report
    write_report(directory, outcome)
"""
