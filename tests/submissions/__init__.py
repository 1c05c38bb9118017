"""A sample class: submissions made from the release by code, and the marks they must get."""
