"""What shows images to the people who label them."""
