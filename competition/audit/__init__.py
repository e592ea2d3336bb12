"""The audit trail: who changed what others see, when and why. Rows are added, never changed."""
