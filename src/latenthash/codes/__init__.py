"""Codes: any picture into bits or floats, without enrolment."""
