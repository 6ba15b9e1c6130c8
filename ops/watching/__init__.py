"""How a stage is: at a glance, by its logs, and measured."""
