//! Every operation with every fault, one at a time.
