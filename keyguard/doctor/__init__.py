"""The environment that a program would start in: what is set where, and what of it makes model calls fail.

`read_environment` reads, `diagnose` judges, `questions_about` and `with_verdicts` stand before and after asking.
"""

from __future__ import annotations

from keyguard.doctor.asking import questions_about, with_verdicts
from keyguard.doctor.judging import diagnose
from keyguard.doctor.reading import read_environment
from keyguard.doctor.records import Diagnosis, EnvFile, Environment, Place, Problem, Setting

__all__ = [
    "Diagnosis",
    "EnvFile",
    "Environment",
    "Place",
    "Problem",
    "Setting",
    "diagnose",
    "questions_about",
    "read_environment",
    "with_verdicts",
]
