"""What answers are worth, judged where no code of a student has run."""
