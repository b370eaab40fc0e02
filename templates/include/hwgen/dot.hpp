// Dot products of two packed vectors: a[0] * b[0] + a[1] * b[1] + ..., and an addend if there is one.
//
// The four sums differ in where they round: dot_exact once, dot_aligned once after cutting what lies far below the
// largest term, dot_tree and dot_sequential after every step.
#pragma once

#include "hwgen/dot_aligned.hpp"
#include "hwgen/dot_chain.hpp"
#include "hwgen/dot_exact.hpp"
