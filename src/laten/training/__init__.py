"""Training: one compiled loop over rows on the device."""
