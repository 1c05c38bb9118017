"""Right and wrong solutions of single cells, and the tests that every one of them is marked so.

``wrong_ideas.py`` says in which form they are written.
"""
