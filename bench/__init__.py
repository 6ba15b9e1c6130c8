"""The benchmarks: `make bench`. Nothing in here ships in the Lambda zip.

Every figure is a ratio to a baseline that is measured in the same run, in turns with it, so that a machine which is
busy with something else slows both. CPU time is counted, not the time on the wall, except where a wait is the question.
"""
