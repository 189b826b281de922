// priority.h: which threads give way to which.
#pragma once

namespace thalweg {

/// The calling thread, and those it starts from now on, give way to the process's other threads when there are fewer
/// cores than work (rule 20: urgent goes first at every stage, at the processor too). Cannot be taken back, needs no
/// rights. Where the system refuses, nothing changes.
void give_way();

}  // namespace thalweg
