#include <stdint.h>
void widen(const uint8_t*s,float*d,long n){for(long i=0;i<n;i++)d[i]=s[i];}