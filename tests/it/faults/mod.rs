//! The fault matrix: Bokbro must not book twice, lose or misbook, whatever the providers do and wherever workers die.

mod matrix;
mod mutants;
mod random;
mod refunds;
