"""What nobody who calls AWS from Python gets around."""

import http.client  # noqa: F401
import ssl  # noqa: F401
