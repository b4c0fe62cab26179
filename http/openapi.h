// The OpenAPI 3.1 document, kept by hand in http/openapi.json and built in.
#ifndef HTTP_OPENAPI_H_
#define HTTP_OPENAPI_H_

#include <string>

namespace kvasir::http {

const std::string& OpenApiDocument();

}  // namespace kvasir::http

#endif  // HTTP_OPENAPI_H_
