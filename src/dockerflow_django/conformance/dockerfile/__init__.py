"""Read a Dockerfile as BuildKit does, and judge the image that it makes."""
