"""The exporter that tells people, or what stands for them, of incidents and overdue user tasks."""
