"""The project's views, by what is told of them."""
