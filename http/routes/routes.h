// The handlers, by the file that holds them.
#ifndef HTTP_ROUTES_ROUTES_H_
#define HTTP_ROUTES_ROUTES_H_

#include "http/router.h"

namespace kvasir::http {

// remember.cc
Answer PostMemory(Call& call);
Answer PostMemoryBatch(Call& call);
Answer GetTask(Call& call);
Answer GetTaskResults(Call& call);
// memories.cc
Answer ListMemories(Call& call);
Answer GetMemory(Call& call);
Answer GetMemoryHistory(Call& call);
Answer PutMemory(Call& call);
Answer DeleteMemory(Call& call);
Answer ForgetMemories(Call& call);
// recall.cc
Answer PostRecall(Call& call);
// ask.cc
Answer PostAsk(Call& call);
// tools.cc
Answer GetSpaces(Call& call);
Answer GetSessions(Call& call);
Answer GetStoreStats(Call& call);
// operations.cc
Answer GetLive(Call& call);
Answer GetReady(Call& call);
Answer GetMetrics(Call& call);
Answer GetOpenApi(Call& call);
Answer PostBackup(Call& call);
// inspector.cc
Answer GetInspector(Call& call);
Answer GetInspectorFile(Call& call);
// mcp.cc
Answer PostMcp(Call& call);
// mem0_hosted.cc
Answer Mem0Ping(Call& call);
Answer Mem0HostedAdd(Call& call);
Answer Mem0HostedList(Call& call);
Answer Mem0HostedSearch(Call& call);
// openai.cc
Answer PostChatCompletion(Call& call);
Answer GetModels(Call& call);
// mem0.cc
Answer Mem0Add(Call& call);
Answer Mem0List(Call& call);
Answer Mem0Get(Call& call);
Answer Mem0Update(Call& call);
Answer Mem0Delete(Call& call);
Answer Mem0History(Call& call);
Answer Mem0DeleteAll(Call& call);
Answer Mem0Search(Call& call);
Answer Mem0Reset(Call& call);

}  // namespace kvasir::http

#endif  // HTTP_ROUTES_ROUTES_H_
