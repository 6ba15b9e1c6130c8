"""From the checkout to a stack on AWS, and away with it again."""
