"""What is known about marks: the gradebook, the records, lateness, exports to platforms."""
