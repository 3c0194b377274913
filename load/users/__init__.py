"""What one user does: walks a task, polls it, and judges each answer."""
