"""The course on disk and its people: where things are, who is in the class, when work is due."""

from tito.course.course import Course, Module

__all__ = ["Course", "Module"]
