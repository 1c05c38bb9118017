"""Hostile notebooks made by code, and what must become of them.

Every attack is combined with answers whose honest mark is known. The property under test: the mark
is the honest one, nothing else changes, and the run goes on. The attacks are bounded in time,
memory and disk, touch no network but 127.0.0.1, and run only against this course's own grader.

Root runs all of them as root, and once more, as an ordinary user, those that reach for the machine
(reading, harming, poisoning, handing in), but for a dozen slow ones to which it makes no
difference, and some of each other family: what those do happens within the kernel and its
messages, whoever grades. Anybody else runs all of them as they are.
To save time the notebooks hold four of the seven sections, without text and demonstrations, and
attacks that only look for something share one. ``pytest tests/attacks -k NAME`` runs one. What runs
in a cell stands in ``notebooks/``, a file for each family; what is hostile as a file, in
``handing_in.py``.
"""
