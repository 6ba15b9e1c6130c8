"""CloudWatch's metrics: several at once, over a time."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from ops.shared.aws import client


@dataclass(frozen=True, slots=True)
class Metric:
    """A metric, and how its values of each `period` are made into one, such as Sum, Maximum or p99."""

    namespace: str
    name: str
    dimensions: Mapping[str, str]
    statistic: str
    period: timedelta = timedelta(minutes=1)


def read(wanted: Mapping[str, Metric], end: datetime, span: timedelta) -> dict[str, list[float]]:
    """The values of each metric in the `span` before `end`, newest first; none of a period in which nothing was told.

    CloudWatch keeps periods of a minute for 15 days:
    https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_GetMetricData.html
    """
    ids = {f"m{number}": name for number, name in enumerate(wanted)}
    end = end.replace(second=0, microsecond=0)  # CloudWatch rounds to whole minutes: so a span of one period stays one
    pages = (
        client("cloudwatch")
        .get_paginator("get_metric_data")
        .paginate(
            MetricDataQueries=[
                {
                    "Id": key,
                    "MetricStat": {
                        "Metric": {
                            "Namespace": wanted[name].namespace,
                            "MetricName": wanted[name].name,
                            "Dimensions": [
                                {"Name": dimension, "Value": value}
                                for dimension, value in wanted[name].dimensions.items()
                            ],
                        },
                        "Stat": wanted[name].statistic,
                        "Period": int(wanted[name].period.total_seconds()),
                    },
                }
                for key, name in ids.items()
            ],
            StartTime=end - span,
            EndTime=end,
            ScanBy="TimestampDescending",
        )
    )
    values: dict[str, list[float]] = {name: [] for name in wanted}
    for page in pages:
        for result in page["MetricDataResults"]:
            values[ids[result["Id"]]] += result["Values"]
    return values
