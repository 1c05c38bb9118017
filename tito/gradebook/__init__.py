"""What is known about marks: the gradebook, the records, the table, exports to platforms."""
