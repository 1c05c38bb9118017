"""The course on disk: where things are, who is in it, when work is due and late."""

from tito.course.course import Course, Module

__all__ = ["Course", "Module"]
