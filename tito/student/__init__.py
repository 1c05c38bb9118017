"""What a student works with: test, export and submit one notebook.

The bundle of an assignment carries this package and none of the rest of the tools, so it needs
neither nbgrader nor nbdev, and imports what is slow only where it is used.
"""
