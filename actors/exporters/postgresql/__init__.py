"""The exporter to PostgreSQL."""
