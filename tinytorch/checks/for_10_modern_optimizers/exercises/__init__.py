"""What exercises a student's code: no expected value stands here."""
