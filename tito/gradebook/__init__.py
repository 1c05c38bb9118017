"""What is known about marks: the gradebook, the records, exports to platforms."""
