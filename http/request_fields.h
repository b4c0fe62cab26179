// The SDK's requests from the fields of a JSON object or a query: one reading for REST and MCP.
#ifndef HTTP_REQUEST_FIELDS_H_
#define HTTP_REQUEST_FIELDS_H_

#include "http/fields.h"
#include "kvasir/requests.h"

namespace kvasir::http {

/// Each takes every field that its request has over the wire, except the space, whose meaning
/// depends on the caller's key. Mistakes are told by fields.Finish().
void ReadFields(Fields& fields, RememberRequest& request);
void ReadFields(Fields& fields, RecallRequest& request);
void ReadFields(Fields& fields, AskRequest& request);
/// `view` "basic" leaves the texts out.
void ReadFields(Fields& fields, ListRequest& request);
void ReadFields(Fields& fields, UpdateRequest& request);
/// Exactly one of ids, session, filters and whole_space must be there.
void ReadFields(Fields& fields, ForgetRequest& request);

}  // namespace kvasir::http

#endif  // HTTP_REQUEST_FIELDS_H_
