"""What app.py calls in a bare `chalice local`, which runs nothing else of ours: it works on the local stack."""

import os
import sys

from ops.shared import stages


def to_the_local_stack() -> None:
    """Give this process the stack's environment; end it, with a sentence, if the stack does not run."""
    try:
        stages.connect(stages.LOCAL)
    except stages.StageUnknown as error:
        print(error, file=sys.stderr, flush=True)
        # Chalice imports the app in a thread of a second process, where SystemExit would end the thread only, and a
        # server that answers nothing would keep the port.
        os._exit(1)
