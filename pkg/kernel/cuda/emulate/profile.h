// What translated units call at every instruction and at every access to memory: nothing.
#ifndef MM_PROFILE_H
#define MM_PROFILE_H

#define COUNT(class)
#define TOUCH(line, space, writes, address, size)

#endif
