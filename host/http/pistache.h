// Pistache's headers, for the few files that use them. The library defines a macro TRY, as we do in
// base/result.h; ours is put away meanwhile.
#pragma once

#pragma push_macro("TRY")
#undef TRY
#include <pistache/net.h>
#include <pistache/peer.h>
#include <pistache/reactor.h>
#include <pistache/tcp.h>
#include <pistache/transport.h>
#undef TRY
#pragma pop_macro("TRY")
