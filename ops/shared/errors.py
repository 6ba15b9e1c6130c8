"""What an operator is told."""


class OperatorError(Exception):
    """Something went wrong, and the message says what, and what to do: a traceback would only hide it."""
