//! Stand-ins that behave as the providers do, including their bad days.
