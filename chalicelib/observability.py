"""The logger that every room uses: one JSON object a line, for CloudWatch.

Its name is the app's (`linkly`), so that what Chalice logs about a failed request takes the same shape.
"""

from aws_lambda_powertools import Logger

logger = Logger(service="linkly", use_rfc3339=True, utc=True)
