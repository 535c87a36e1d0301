// SPDX-License-Identifier: MIT
// What an exchange wants of its connection next: the answer of all who handle exchanges to the
// state machine in connection.c, which alone moves a connection from one state to another.
#ifndef VHTTP_STEP_H
#define VHTTP_STEP_H

enum vhttp_step {
    VHTTP_STEP_STAY,    // nothing new, or only more of the content
    VHTTP_STEP_WAIT,    // the interpreter was asked: for its first answer
    VHTTP_STEP_RECEIVE, // a call was asked for: its request's body is to be handed on
    VHTTP_STEP_REPLY,   // the reply is started
    VHTTP_STEP_ASK,     // there is no such file: the interpreter is to be asked for its words
    VHTTP_STEP_BREAK,   // what was promised cannot be sent: the connection is to be cut
};

#endif
