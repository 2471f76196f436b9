"""The app under real servers, seen from outside."""
