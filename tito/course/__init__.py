"""The course on disk: where things are, who is in it, and when work is due."""

from tito.course.course import Course, Module

__all__ = ["Course", "Module"]
