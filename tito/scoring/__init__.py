"""What the answers of a submission are worth; judged where no code of a student has run."""
