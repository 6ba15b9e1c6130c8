"""What nobody who uses botocore gets around."""

import botocore.session  # noqa: F401
