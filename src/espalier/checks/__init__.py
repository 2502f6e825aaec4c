"""Looking at data before anything is trained on it: ``espalier data show`` and ``espalier data check``.

``rows`` counts what is the same, empty or rare (every run does it), ``features`` and ``doubts`` find labels that are
likely wrong, ``show`` and ``find`` are the processes behind the two commands. May import ``report``, ``build``,
``config``, ``core``; parts arrive by ``_target_``.

    espalier data check data=sst2 --output suspects.csv
"""
