"""Hostile notebooks made by code, and what must become of them.

Every attack is combined with answers whose honest mark is known. The property under test: the mark
is the honest one, nothing else changes, and the run goes on. The attacks are bounded in time,
memory and disk, touch no network but 127.0.0.1, and run only against this course's own grader.

``pytest tests/attacks -k NAME`` runs one; ``python -m tests.attacks`` runs all as an ordinary user
and, where it is started by root, as root too.
"""
