/* Names the address of a variable: without -fPIC that means to change the code while it is loaded. */
extern int elsewhere;
int elsewhere = 1;
int* address_of_elsewhere(void);
int* address_of_elsewhere(void) { return &elsewhere; }
