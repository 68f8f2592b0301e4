"""The error of a missing or failing tool."""


class ToolError(Exception):
    """A tool or package that is missing or failed."""
