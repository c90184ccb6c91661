// Helpers for modes that alter the shape of an answer.
using System;
using System.Collections.Generic;
using System.Linq;
using System.Text;
using System.Xml;
using Newtonsoft.Json.Linq;

namespace TppMono
{
    static class Shapes
    {
        public static Answer Plain(Call call, int status, string text)
        {
            var answer = new Answer { Status = status, Body = Encoding.UTF8.GetBytes(text) };
            answer.Headers["Content-Type"] = call.Out.Name + "; charset=utf-8";
            return answer;
        }

        // The members of each result in alphabetical order backwards.
        public static JToken Shuffle(JToken results)
        {
            return new JArray(results.Cast<JObject>().Select(r => new JObject(r.Properties().OrderByDescending(p => p.Name))));
        }

        // Change one member of each JSON result.
        public static Func<Call, JToken, JToken> Member(string name, Func<JToken, JToken> change)
        {
            return (call, results) =>
            {
                foreach (JObject result in results) result[name] = change(result[name]);
                return results;
            };
        }

        // All elements of a local name in an XML answer.
        public static List<XmlElement> Elements(XmlDocument document, string name)
        {
            return document.GetElementsByTagName("*").Cast<XmlElement>().Where(e => e.LocalName == name).ToList();
        }

        public static bool IsNil(XmlElement element)
        {
            return element.GetAttribute("nil", Namespaces.Instance) == "true";
        }
    }
}
