"""The framework itself: modules exported from `modules/source/` (do not edit by hand)."""
