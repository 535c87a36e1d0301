// SPDX-License-Identifier: MIT
// The console: the board's serial port seen from the chip.
//
// A thread stands for the UART's interrupt: it takes bytes as they come and turns the interrupt
// character into a KeyboardInterrupt even while no one reads. Like a UART, the console drops what
// it has no room for and never waits for a listener for long.
#ifndef VIRTUAL_CHIP_CONSOLE_H
#define VIRTUAL_CHIP_CONSOLE_H

#include <stdbool.h>

// Puts the terminal on descriptors 0 and 1 into raw mode and starts to listen. To be called once,
// on the interpreter's thread. False when no thread can be made.
bool console_start(void);

// Stops listening and answers a pipe that holds what was received and not read yet, for the
// program that comes after a soft reset, or -1 when there is nothing.
int console_stop(void);

// Takes up what the program before a soft reset left in `fd`.
void console_resume(int fd);

#endif
