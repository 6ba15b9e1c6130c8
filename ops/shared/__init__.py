"""What every room may use: AWS's clients, stages and their stacks, queues, metrics and log lines."""
